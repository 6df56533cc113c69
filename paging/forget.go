package paging

// Forget hides from lookups every block of t's content, whoever holds it: what they hold is no good.
func (m *Manager) Forget(t *BlockTable) {
	for i := range t.hashes {
		for g := range m.groups {
			for {
				id, ok := m.pool.contents[g].find(&t.hashes[i])
				if !ok {
					break
				}
				m.pool.unpublish(id)
			}
		}
	}
}
