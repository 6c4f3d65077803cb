"""What a network looks at and what its filters look for, drawn and measured."""
