"""Soon."""

from app.engagement.reminders import models as models
