"""The database's versions; `customs db upgrade` brings any older one to the newest."""
