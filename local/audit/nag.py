"""cdk-nag over a plain template: `python nag.py TEMPLATE FOLDER`, in the environment that has it."""

import sys
from pathlib import Path

import aws_cdk
import cdk_nag
from aws_cdk import cloudformation_include


def main() -> None:
    """Include the template into an app, and have that validated into the folder; what is found is no failure here."""
    template, folder = sys.argv[1:]
    app = aws_cdk.App(outdir=folder)
    stack = aws_cdk.Stack(app, "Dunlin")
    cloudformation_include.CfnInclude(stack, "Template", template_file=template)
    aws_cdk.Validations.of(app).add_plugins(cdk_nag.HIPAASecurityChecks())
    try:
        app.synth()
    except RuntimeError:
        # Whatever was found is raised too, once it stands in the report.
        if not (Path(folder) / "validation-report.json").exists():
            raise


if __name__ == "__main__":
    main()
