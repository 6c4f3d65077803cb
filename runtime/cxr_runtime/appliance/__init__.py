"""A clinic's appliance: every service under one roof, from one file of settings; what dies is begun again."""
