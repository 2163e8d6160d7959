"""Take a backup: plan the segments, read them from one instant, put them into the vault, write the manifest last."""
