"""What goes out by itself: HTTP to stores and providers, one way for both."""
