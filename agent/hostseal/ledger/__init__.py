"""The ledger: keeps what hosts decided and did where their root cannot reach, and proves that nothing was changed."""
