"""``python -m tools.migrations``: the migrations build exactly the tables of the models, and run both ways."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import sqlalchemy as sa
from flask_migrate import check, downgrade, upgrade

from app import create_app
from app.config import Settings
from app.foundation.database import db


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="jifen-migrations-") as folder:
        # The path is not the developer's, and neither is the environment.
        app = create_app(Settings(environment="testing", instance_path=Path(folder)))
        with app.app_context():
            upgrade()
            check()  # Ends the process with a sentence when the models say something else.
            downgrade(revision="base")
            left = set(sa.inspect(db.engine).get_table_names()) - {"alembic_version"}
            if left:
                sys.exit(f"Migrating down to nothing leaves tables behind: {', '.join(sorted(left))}.")
            upgrade()
            db.engine.dispose()
    print("Migrations: in step with the models, up and down.")


if __name__ == "__main__":
    main()
