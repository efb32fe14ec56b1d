"""The derivation screen: a formula typed or pasted, its verdict, and the attempts so far."""
