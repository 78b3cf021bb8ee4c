"""The silence of feeds as flags of F10: judged, written down and told to the agency and to who supervises it."""
