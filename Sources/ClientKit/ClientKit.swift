// ClientKit
