"""How long tests wait for what has to come: on a machine that is busy with other things, everything comes late."""

PATIENCE_SECONDS = 180.0
