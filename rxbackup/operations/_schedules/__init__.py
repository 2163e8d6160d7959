"""From a schedule's rule to its runs, and to what it keeps."""
