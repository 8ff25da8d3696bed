"""What every room stands on: arguments, files, memory, data frames.  It knows nothing of MDPs."""
