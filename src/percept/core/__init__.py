"""What every task shares; nothing here knows a task."""
