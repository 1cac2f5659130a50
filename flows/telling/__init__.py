"""What people and programs are told: progress, outcomes, pages, webhooks."""
