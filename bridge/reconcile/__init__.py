"""The provider against the bridge against the store. It never moves money."""
