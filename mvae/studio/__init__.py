"""The studio: a page that runs trained models itself, in any browser, without a network."""
