SELECT number, name, checksum FROM migration
