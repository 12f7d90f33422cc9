"""The product in virtual time: real engine, desks, client and database under a seed's gateway, faults and people."""
