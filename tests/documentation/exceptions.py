"""Commands and code of the pages that the tests skip or replace, each with the reason."""

NOT_RUN = {
    r"^pip install": "installs the environment of these tests; .ci/run starts with it",
    r"^pytest\b": ".ci/run calls it, and these tests with it",
    r"^spacrd demo": "takes half a minute; tests/cli/test_workflow.py runs it",
    r"^export ": "a setting of the user's shell",
    r"^spacrd .*--encoder uni\b": "gated weights of 1.2 GB; tests/encoders/test_uni.py builds the network",
    r"^spacrd .*--encoder midnight": "weights of 4.5 GB",
    r"^spacrd .*--device cuda": "needs a GPU",
    r"^spacrd .*--scheduler tcp": "needs a cluster; tests/cli/test_executors.py starts one",
    r"^spacrd (?:ingest|detect) .*--(?:part|executor processes)": "a worker takes longer to start than the work here; "
    "tests/cli/test_executors.py runs every step on them, tests/cli/commands/test_detect.py parts",
    r"^from dask_(?:jobqueue|kubernetes)": "needs SLURM or Kubernetes",
    r"^snakemake": "tests/tools/test_pipelines.py runs the workflow",
    r"^(?:(?:python|cd) tools/pipelines|nf-test)": "needs nf-test; tests/tools/test_pipelines.py makes the data",
    r"^(?:docker|apptainer)\b": "downloads several GB, and needs Docker or Apptainer",
}
INSTEAD = {
    r"(?<=embed) STORE(?!.*--encoder).*": (
        r"\g<0> --encoder timm:test_vit --set encoder.pretrained=false",
        "the default is UNI, whose weights are gated",
    ),
    r"^spacrd evaluate": (r"\g<0> --jobs 1", "starting one process per core takes longer than the evaluation"),
    r"--seeds 5": ("--seeds 1", "the second seed repeats the first"),
    r"timm:(vit_small_patch16_224|resnet18)\b": ("timm:test_vit", "timm's smallest network saves time"),
}
