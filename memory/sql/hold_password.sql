SELECT FROM access_password FOR SHARE
