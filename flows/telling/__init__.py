"""Messages to people and programs: progress, outcomes, pages, webhooks."""
