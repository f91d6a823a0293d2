"""Configuration files of Python, IPython and nbgrader are handed in beside the notebook."""

# %% file sitecustomize.py
print("LEAKED: sitecustomize.py of the submission was run")

# %% file ipython_kernel_config.py
c = get_config()
c.InteractiveShellApp.exec_lines = [
    "import autograde.notebook; autograde.notebook.grade = lambda name: 5.0"
]

# %% file nbgrader_config.py
c = get_config()
c.Execute.enabled = False
c.ClearOutput.enabled = False
