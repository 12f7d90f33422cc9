"""The contract as OpenAPI 3.1: what each door takes, what it answers, and the document made of both."""
