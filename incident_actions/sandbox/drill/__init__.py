"""The drill: one SEV1 from the filled form to the all-clear, played against the sandbox.

It starts the same programs that the action starts, as a runner would, and checks what they do.
To add to it, write a scene: see `scenes`.
"""
