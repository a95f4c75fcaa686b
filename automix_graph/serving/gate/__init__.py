"""What every request passes before a door opens: id, log and metrics; origin and key; a place and a body."""
