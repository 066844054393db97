"""The backend port over a Ray cluster: workers hold the model, rows are dealt to them, a lost worker's again."""
