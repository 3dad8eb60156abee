"""What sees: logins, channels, files."""
