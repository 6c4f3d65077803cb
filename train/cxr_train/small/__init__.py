"""The small networks that every scan uses: the gate, and the lung field."""
