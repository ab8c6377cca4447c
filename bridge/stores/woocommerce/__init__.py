"""WooCommerce stores, over their REST API."""
