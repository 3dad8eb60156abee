"""Host images: built once from their inputs, content-addressed, and moved from track to track."""
