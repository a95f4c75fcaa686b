"""Ask a small model, let a judge check the answer, pay for the large model only where it helps."""
