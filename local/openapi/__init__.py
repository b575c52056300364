"""The API's document, docs/openapi.json: made from the routes' decorators, and compared with what was committed."""
