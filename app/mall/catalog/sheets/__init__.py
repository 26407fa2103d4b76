"""Products as sheets 商品表格: written as CSV and XLSX, read back, tried out, and taken over."""
