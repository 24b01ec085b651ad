"""Files of other systems, read into canonical events. Pure: bytes in, report out; nothing here writes."""
