"""Training: objective, schedules, and the step that is mapped over devices."""
