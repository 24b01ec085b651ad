DELETE FROM access_passkey
