"""The review by the DPO: a workbook of few questions goes out, and its answers come back as decisions."""
