"""Where the bytes come from: git (index, range, blobs), LFS and DVC pointers."""
