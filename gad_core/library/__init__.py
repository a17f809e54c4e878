"""What `import gad_core` offers to call: read, fit, evaluate, score, explain; the command line does the same.

Features are kept in the cache of the workspace (the folder `GAD_HOME`, else `~/.gad`), which the dashboard uses too, so
that images whose features are known do not go through the network again.
"""
