"""The backend port over HTTP: a client of `d2b-gate serve`. No torch; requests and numpy alone."""
