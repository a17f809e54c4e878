"""Many browser sessions at once against one real server: no error, no wrong number, no memory that stays."""
