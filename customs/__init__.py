"""The customs declaration desk: paid orders in, declarations at the gateway, until each one ends."""
