"""Where films come from: files and folders of the disk, members of zip files."""
