"""What a command imports before it begins: commands that only look at a table wait for no network."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module", ["flows.settings", "flows.telling.display", "pipeline.inspection", "pipeline.data.tables"]
)
def test_looking_at_a_table_imports_neither_network_nor_classifier(module):
    """Settings, tables and inspection come without PyTorch, scikit-learn, MLflow, Prefect and Matplotlib."""
    heavy = "{'torch', 'sklearn', 'mlflow', 'prefect', 'matplotlib'}"
    code = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
