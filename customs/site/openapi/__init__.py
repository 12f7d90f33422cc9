"""The API as OpenAPI 3.1, made of what its views say of themselves."""
