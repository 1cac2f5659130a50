"""What people and programs are told: progress, reports, pages, webhooks."""
