"""What a command imports before it begins: commands that only look at a table wait for no network."""

import subprocess
import sys

import pytest


@pytest.mark.usefixtures("processes")
def test_looking_at_a_table_imports_neither_network_nor_classifier():
    """Settings, tables and inspection come without PyTorch, scikit-learn, MLflow, Prefect and Matplotlib."""
    code = """
import sys
import flows.settings, flows.telling.display, pipeline.data.tables, pipeline.inspection
print(sorted({'torch', 'sklearn', 'mlflow', 'prefect', 'matplotlib'} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
