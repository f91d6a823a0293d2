"""Files named like modules of the standard library are handed in, to be imported by the kernel."""

# %% file signal.py
raise SystemExit("LEAKED: signal.py of the submission was imported")

# %% file secrets.py
print("LEAKED: secrets.py of the submission was imported")

# %% file traceback.py
print("LEAKED: traceback.py of the submission was imported")
