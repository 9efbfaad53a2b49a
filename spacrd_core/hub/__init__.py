"""The Hugging Face Hub: asked politely, and what stands in the way said in a sentence."""
