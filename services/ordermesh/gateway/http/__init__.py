"""The HTTP/JSON API: made from the descriptors and their google.api.http annotations, over the same methods as gRPC."""
