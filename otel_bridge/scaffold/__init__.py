"""BEGIN: what a product needs to tell anything at all, proposed from its own pyproject.toml and its own parser."""
