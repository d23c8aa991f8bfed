"""Look of every page: stylesheets, base templates, components, filters and the brand palette."""
