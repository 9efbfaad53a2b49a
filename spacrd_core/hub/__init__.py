"""The Hugging Face Hub: how its client library is called, and how its errors are reported."""
