package session

// tuned are the preferences that hold now.
func (c *Client) tuned() PreferenceValues { return DefaultPreferences() }
