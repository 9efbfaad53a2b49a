"""Messages on the troubleshooting page, each with a command that causes it."""

# Files that the commands below need, in addition to those of the tutorial.
PREPARATION = """
import json, shutil
from pathlib import Path
import anndata as ad
import numpy as np
from PIL import Image
from spacrd_core import SpotStore, embed, ingest

labels = Path("ST-pat/lbl/D1_labeled_coordinates.tsv").read_text()
Path("own_words.tsv").write_text(labels.replace("connective tissue", "grade 3"))
Path("columns.csv").write_text("a,b\\n1,2\\n")
Path("places.csv").write_text("x,y,label\\n1,1,tumor\\n")
Path("two_columns.csv").write_text("barcode,seen,said\\nA,tumor,normal\\nB,normal,tumor\\n")
Path("numbers.csv").write_text("cell_id,label\\n1,tumor\\n2,normal\\n")
Path("nothing.csv").write_text("path,name\\n")
Path("twice.csv").write_text("path,name\\nrun7/outs,A\\nrun8/outs,A\\n")
Path("doubled.csv").write_text("path,name,name\\nrun7/outs,A,B\\n")
Path("list.csv").write_text("0\\n1\\n1\\n")
Path("merged.csv").write_text("barcode,sample,label\\n1x1,S1,tumor\\n1x1,S2,normal\\n")
Path("cells_of_fovs.csv").write_text("fov,cell_ID,ERBB2\\n1,1,3\\n")
Path("run.zip").write_bytes(b"PK\\x03\\x04" + bytes(100))
Path("other.xml").write_text("<regions/>")
Path("book.xlsx").write_bytes(b"PK\\x03\\x04" + bytes(100))
ring = [[0, 0], [1, 0], [1, 1], [0, 0]]
tumour = {"objectType": "annotation", "classification": {"name": "Tumor"}}
polygon = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": tumour}
Path("corner.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [polygon]}))
Path("corrected").mkdir()
Path("corrected/fractions.tsv").write_text("\\tACTB\\tDCN\\n1x1\\t0.5\\t1.5\\n2x1\\t0.25\\t1\\n1x2\\t1\\t2\\n")
places = "x\\ty\\tpixel_x\\tpixel_y\\n1\\t1\\t9\\t9\\n2\\t1\\t19\\t9\\n1\\t2\\t9\\t19\\n"
Path("corrected/fractions_selection.tsv").write_text(places)
Image.new("RGB", (300, 100)).save("stripe.png")
Image.fromarray(np.zeros((1700, 1600), np.uint16)).save("grey.png")
Image.open("slide.tif").transpose(Image.Transpose.ROTATE_180).save("turned.png")
Image.open("slide.tif").convert("L").convert("RGB").save("without_colours.png")
Image.new("RGB", (1000, 1000), "white").save("white.png")
Image.new("L", (100, 100), 1).save("mask.png")
Path("half.jpg").write_bytes(Path("scans/B1.jpg").read_bytes()[:5000])
matrix = np.loadtxt("he_imagealignment.csv", delimiter=",")
np.savetxt("inverse.csv", np.linalg.inv(matrix), delimiter=",")
np.savetxt("shifted.csv", matrix + [[0, 0, 1e6], [0, 0, 0], [0, 0, 0]], delimiter=",")
Path("matrix").mkdir()
shutil.copy("run7/outs/filtered_feature_bc_matrix.h5", "matrix")
shutil.copytree("detector", "edited")
config = Path("edited/config.json")
config.write_text(config.read_text().replace('"width": 64', '"width": 32'))
shutil.copytree("lung", "torn")
damaged = next(file for file in Path("torn/sections").rglob("c/0") if file.is_file())
damaged.write_bytes(b"")
shutil.copytree("detector", "mixed")
shutil.copy("genes_alone/model.safetensors", "mixed")
shutil.copytree("lung", "newer")
manifest = Path("newer/spacrd.json")
manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"schema_version": 99}))
shutil.copytree("lung", "gone")
shutil.rmtree("gone/sections/B4")
shutil.copytree("lung", "linked")
shutil.rmtree("linked/slides")
Path("linked/slides").symlink_to("../lung/slides")
shutil.copytree("lung", "cut")
next(file for file in Path("cut/sections").rglob("c/0") if file.is_file()).unlink()
Path("mine").mkdir()
Path("mine/B4.png").write_bytes(b"a picture of mine")
ingest(SpotStore.create("blind"), "ST-cnts/D1.tsv.gz", labels="ST-pat/lbl/D1_labeled_coordinates.tsv", no_image=True)
embed(SpotStore.open("STORE"), "stain", sections=["A1"], options={"normalised": True})
bare = ad.AnnData(np.arange(12, dtype=np.int32).reshape(4, 3) % 5)
bare.obsm["spatial"] = np.array([[1.0, 2.0], [9.0, 3.0], [4.0, 8.0], [20.0, 31.0]])
bare.write_h5ad("bare.h5ad")
"""
ST = "spacrd ingest x ST-cnts/D1.tsv.gz --patient D"
TRAIN = "spacrd train lung -o y --encoder none --head linear"
MISTAKES = {
    "unknown setting": f"{TRAIN} --set colour=red",
    "--set takes KEY=VALUE, not": f"{TRAIN} --set colour",
    "no configuration file at ...": f"{TRAIN} --config none.toml",
    "... is not TOML: ...": f"{TRAIN} --config loupe_export.csv",
    "results need a folder, but ... is a file": "spacrd detect lung detector --section B4 -o slide.tif",
    "... was requested, but this machine has ... CUDA devices": "spacrd embed lung --encoder stain --device cuda:99",
    "... is not a device": "spacrd embed lung --encoder stain --device gpu",
    "no reader recognises ...": "spacrd ingest x ST-pat",
    "is not a section; these inside would be: ...": "spacrd ingest x ST-cnts",
    "is not a section, but it is in one: ...": "spacrd ingest x run7/outs/spatial",
    "is a cohort file (columns ...), not a section": "spacrd ingest x twice.csv",
    "is a slide, not a section with counts": "spacrd ingest x slide.tif",
    "is data of ..., a platform that is not read": "spacrd ingest x cells_of_fovs.csv",
    "an archive": "spacrd ingest x run.zip",
    "the reader '...' cannot read ...": "spacrd ingest x run7/outs --reader xenium",
    "there is nothing at ...": "spacrd ingest x nowhere",
    "the store ... already has a different section '...'": "spacrd ingest lung ST-cnts/A1.tsv.gz --name D1",
    "'...' is not a valid section id": "spacrd ingest x run8/outs --name a/b",
    "give either PATHs or --cohort FILE.csv": "spacrd ingest x",
    "cannot apply to a whole cohort": "spacrd ingest x --cohort cohort.csv --name B4",
    "... holds no raw counts: ...": "spacrd ingest x corrected/fractions.tsv --no-image",
    "has no tissue_positions.csv, tissue_positions_list.csv or tissue_positions.parquet": (
        "spacrd ingest x matrix --reader visium"
    ),
    "no --patient was given": "spacrd ingest new run8/outs",
    "no full-resolution image was given; ...": "spacrd ingest new run7/outs --name run7",
    "of the spots lie outside the image": f"{ST} --image stripe.png --image-scale 1",
    "these are different images": "spacrd ingest x run8/outs --image stripe.png",
    "is turned or mirrored relative to ..., which the positions refer to": (
        "spacrd ingest x run8/outs --image turned.png"
    ),
    "is grey: it shows no stain colours": "spacrd ingest x run8/outs --image without_colours.png",
    "does not state its resolution": "spacrd ingest x white.png --reader slide",
    "no tissue was found on ...": "spacrd ingest x white.png --reader slide --um-per-px 1",
    "is read as a slide alone, to which ... does not apply": (
        "spacrd ingest x slide.tif --reader slide --image slide.tif"
    ),
    "is neither JPEG, PNG, TIFF nor a known scanner format": f"{ST} --image columns.csv",
    "expected 8-bit RGB": f"{ST} --image grey.png",
    "is damaged: ...": f"{ST} --image half.jpg",
    "the H&E ... has no alignment to the morphology images": "spacrd ingest x xenium_bundle --image he.ome.tif",
    "maps morphology px to px of ..., the inverse of the expected direction": (
        "spacrd ingest x xenium_bundle --image he.ome.tif --alignment inverse.csv"
    ),
    "of the cells are outside the H&E": "spacrd ingest x xenium_bundle --image he.ome.tif --alignment shifted.csv",
    "no H&E image was given or found for the alignment": "spacrd ingest x xenium_bundle --alignment shifted.csv",
    "none of the columns ... of ... is named region": f"{ST} --region columns.csv",
    "has labels of unknown meaning": f"{ST} --labels own_words.tsv",
    "no label of ... is '...'": f"{ST} --labels own_words.tsv --positive sarcoma --ignore 'grade 3'",
    "has no id column and no x, y columns": f"{ST} --labels columns.csv",
    "labels in counts order, but the counts have ... spots": f"{ST} --labels list.csv",
    "array steps off this section's spots": f"{ST} --labels ST-pat/lbl/A1_labeled_coordinates.tsv",
    "no spot is in a polygon of ...": f"{ST} --labels corner.geojson",
    "is a workbook, not a text table": f"{ST} --labels book.xlsx",
    "the label file ... has labels of ... sections": f"{ST} --labels merged.csv",
    "has no labels of the section": f"{ST} --labels merged.csv --label-section S9",
    "and no option says which mean cancer": f"{ST} --labels mask.png",
    "it has neither the slide's size nor a whole fraction of it": f"{ST} --labels white.png --positive '#ffffff'",
    "is a JPEG, whose compression mixes": f"{ST} --labels scans/B1.jpg",
    "not annotations of ASAP, ImageScope or HALO": f"{ST} --labels other.xml",
    "has labels by x and y, but this ...": (
        "spacrd ingest x xenium_bundle --no-image --labels places.csv --set reader.unit=cell"
    ),
    "no ... is named '...'": "spacrd embed lung --encoder stian",
    "has no access (403)": "spacrd embed lung",
    "does not fit the architecture": "spacrd embed lung --encoder kaiko-s16 --weights detector/model.safetensors",
    "serial has one worker": "spacrd embed lung --encoder stain --workers 4",
    "a part reads I/N": "spacrd embed lung --encoder stain --part 9/8",
    "the workers of a scheduler need a store that all machines see": (
        "spacrd call run8/outs -o x --executor dask --scheduler tcp://127.0.0.1:1"
    ),
    "only Dask has a scheduler": "spacrd detect lung prior --executor processes --scheduler tcp://127.0.0.1:1",
    "has no embeddings by '...'": "spacrd train lung -o x",
    "training needs both cancer and normal spots, but found ...": f"{TRAIN} --section B4",
    "cross-validation needs at least two labelled ...": "spacrd evaluate lung --encoder none --section D1",
    "probabilities are not calibrated": TRAIN.replace(" y ", " uncalibrated ") + " --section D1",
    "--encoder none and --no-genes leave no modality to use": f"{TRAIN} --no-genes",
    "the head has no phase ...": f"{TRAIN} --epochs x=1",
    "is not a report, and is not replaced": "spacrd report lung detector -o slide.tif",
    "was not written by SpaCRD and is not replaced": "spacrd detect lung detector -o mine",
    "other files must not be mixed with it": "spacrd detect lung detector -o lung/results",
    "contains a detector already": "spacrd train lung -o detector --encoder none",
    "is a link, and a store must not contain links": "spacrd detect linked detector",
    "files are missing or cut off, or its metadata have changed": "spacrd detect cut detector",
    "contains other files and is not a detector": "spacrd train lung -o results --encoder none",
    "there is no detector at ...": "spacrd detect lung nowhere",
    "was changed after training": "spacrd detect lung edited",
    "unknown threshold rule '...'": "spacrd detect lung detector --threshold best",
    "would give every spot the same call": "spacrd detect lung detector --threshold prevalence=1",
    "has no copy-number profile: ...": "spacrd plot lung detector --profile --section B4 -o x",
    "... cannot be drawn as '...'": "spacrd plot lung detector --format svg -o x",
    "there is no spot store at ...": "spacrd embed nowhere",
    "contains other files and is not a spot store": "spacrd ingest results run8/outs",
    "the store ... has no section '...'": "spacrd detect lung detector --section S9",
    "groups in ... are damaged": "spacrd store verify torn",
    "is not the address of a detector": "spacrd detect lung hf://lung",
    "does not exist or is private": "spacrd detect lung hf://mylab/lnug",
    "does not change it": "spacrd push detector mylab/lung --public",
    "contains another detector": "spacrd pull mylab/lung theirs",
    "contains no SpaCRD detector": "spacrd pull timm/test_vit.r160_in1k x",
    "is a family": "spacrd embed lung --encoder timm",
    "which Xenium Explorer cannot open": "spacrd export lung detector --format xenium --section B4 -o x",
    "lists no section": "spacrd ingest x --cohort nothing.csv",
    "both name '...'": "spacrd ingest x --cohort twice.csv",
    "has more than one column '...'": "spacrd ingest x --cohort doubled.csv",
    "um/px of ... is unknown": "spacrd ingest x bare.h5ad",
    "of the label file ... is named label": f"{ST} --labels two_columns.csv",
    "from two versions of Xenium's software": "spacrd ingest x xenium_bundle --no-image --labels numbers.csv",
    "no section of ... has an image": "spacrd embed blind --encoder stain",
    "none of these sections has an image": "spacrd train blind -o y --encoder stain --no-genes",
    "sections were embedded by '...' with different recipes": "spacrd train STORE -o y --encoder stain",
    "does not match config.json": "spacrd detect lung mixed",
    "this SpaCRD reads up to ...": "spacrd store ls newer",
    "is missing from the store": "spacrd detect gone detector --section B4",
}
